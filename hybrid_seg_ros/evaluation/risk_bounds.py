"""How large an empirical risk may be for a finite-sample bound on the true one to hold.

For n exchangeable images with losses in 0..1 that fall (or rise) monotonically with the threshold, every method here
comes down to one number: the largest mean loss of the calibration images that still allows the wanted level.
"""

import math

_STEPS = 80  # of bisection: beyond float64's resolution


def crc_allowance(images: int, level: float) -> float | None:
    """Conformal risk control: mean loss r with n/(n+1) r + 1/(n+1) <= level.

    Then the expected loss on a further image is at most `level`, the expectation being over the calibration images,
    too (Angelopoulos, Bates, Fisch, Lei, Schuster, "Conformal Risk Control", 2022, theorem 1, B = 1).

    Returns:
        The largest allowed mean loss, or None where so few images allow none.
    """
    if images < fewest_images(level, None):
        return None
    return max(((images + 1) * level - 1) / images, 0.0)


def hoeffding_bentkus_allowance(images: int, level: float, confidence: float) -> float | None:
    """Risk-controlling prediction sets: the largest mean loss that rejects "the risk exceeds level" at 1 - confidence.

    Then, with probability `confidence` over the calibration images, the expected loss on a further image is at most
    `level` (Bates et al., "Distribution-Free, Risk-Controlling Prediction Sets", 2021; as fixed-sequence testing in
    Angelopoulos et al., "Learn then Test", 2021: the losses are monotone, so testing from the safest threshold on
    stops where the mean loss passes this number).

    Returns:
        The largest allowed mean loss, or None where so few images allow none.
    """
    delta = 1 - confidence
    if not images or hoeffding_bentkus_p_value(0.0, images, level) > delta:
        return None
    low, high = 0.0, level
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if hoeffding_bentkus_p_value(middle, images, level) <= delta:
            low = middle
        else:
            high = middle
    return low


def hoeffding_bentkus_p_value(mean_loss: float, images: int, level: float) -> float:
    """P-value of the hypothesis that the true risk exceeds `level`, for losses in 0..1 (Learn then Test, section 2).

    min(exp(-n h(min(r, level), level)), e P(Bin(n, level) <= ceil(n r))), h = relative entropy of Bernoullis.
    """
    r = min(mean_loss, level)
    hoeffding = math.exp(-images * _relative_entropy(r, level))
    # A mean that is a whole number of losses must not be lifted to the next by its rounding.
    bentkus = math.e * _binomial_cdf(math.ceil(images * mean_loss - 1e-9), images, level)
    return min(1.0, hoeffding, bentkus)


def fewest_images(level: float, confidence: float | None) -> int:
    """How many images it takes for any threshold to be allowed: all of them without a loss."""
    if confidence is None:
        return math.ceil(1 / level - 1 - 1e-9)
    # Without a loss the first term is (1 - level)^n and the second e times that.
    return math.ceil(math.log(1 - confidence) / math.log1p(-level) - 1e-9)


def _relative_entropy(a: float, b: float) -> float:
    first = a * math.log(a / b) if a > 0 else 0.0
    return first + ((1 - a) * math.log((1 - a) / (1 - b)) if a < 1 else 0.0)


def _binomial_cdf(k: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= k)."""
    if k >= n:
        return 1.0
    log_p, log_q = math.log(p), math.log1p(-p)
    terms = (
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * log_p + (n - i) * log_q
        for i in range(k + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))
