import socket

from hybrid_seg_ros.bags.domain import _in_use, private_domain


def test_two_runs_at_once_get_different_domains() -> None:
    with private_domain() as first, private_domain() as second:
        assert first != second
        assert {first, second} <= set(range(40, 100))


def test_a_domain_with_a_participant_is_in_use() -> None:
    with private_domain() as domain, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        assert not _in_use(domain)
        participant.bind(("", 7400 + 250 * domain + 10))
        assert _in_use(domain)
