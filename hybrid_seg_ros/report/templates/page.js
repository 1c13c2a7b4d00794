"use strict";
// The page reads without this script; it adds the theme, the slider, and what lies under the pointer.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const draw = (parent, tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return parent.appendChild(element);
  };

  // --- as Python writes them (words.py) ---
  const whole = (count) => count.toLocaleString("en-US");
  const general = (value, digits) => {
    if (Math.abs(value) < 1e-12) return "0";
    const size = Math.abs(value);
    if (size >= 10 ** digits && size < 1e6) return value.toFixed(0);
    if (size >= 1e-4 && size < 1e6) return String(Number(value.toPrecision(digits)));
    const [mantissa, sign, power] = value.toExponential(digits - 1).split(/e([+-])/);
    return `${Number(mantissa)}e${sign}${power.padStart(2, "0")}`;
  };
  const finePercent = (share) => {
    if (share === null) return "–";
    const value = 100 * share;
    if (value === 0) return "0";
    if (value >= 99.995) return "100";
    return value >= 0.9995 ? value.toFixed(2) : general(value, 3);
  };
  const ratio = (part, total) => (total ? part / total : null);

  // --- theme and printing ---
  const theme = document.getElementById("theme");
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  nameTheme();
  theme.hidden = false;
  const print = document.getElementById("print");
  print.addEventListener("click", () => window.print());
  print.hidden = false;

  // --- what a drawing says under the pointer, and with the arrow keys ---
  for (const plot of all("svg[data-series]")) {
    const series = JSON.parse(plot.dataset.series).filter((each) => each.x.length);
    if (!series.length) continue;
    const told = document.createElement("p");
    told.className = "told";
    told.setAttribute("aria-live", "polite");
    plot.parentElement.append(told);
    let probe = null;
    let at = [0, -1];
    const tell = (s, i) => {
      at = [s, i];
      probe ??= draw(plot, "circle", { class: "probe", r: 6 });
      probe.setAttribute("cx", series[s].x[i]);
      probe.setAttribute("cy", series[s].y[i]);
      told.textContent = series[s].text[i];
    };
    const quiet = () => {
      probe?.remove();
      probe = null;
      told.textContent = "";
    };
    plot.addEventListener("pointermove", (event) => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
      let best = [Infinity, 0, 0];
      series.forEach((each, s) => each.x.forEach((x, i) => {
        const distance = (x - place.x) ** 2 + (each.y[i] - place.y) ** 2;
        if (distance < best[0]) best = [distance, s, i];
      }));
      tell(best[1], best[2]);
    });
    plot.addEventListener("pointerleave", quiet);
    plot.addEventListener("blur", quiet);
    plot.addEventListener("keydown", (event) => {
      const [s, i] = at;
      const count = series[s].x.length;
      if (event.key === "ArrowRight") tell(s, Math.min(i + 1, count - 1));
      else if (event.key === "ArrowLeft") tell(s, Math.max(i - 1, 0));
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        const next = (s + (event.key === "ArrowUp" ? 1 : series.length - 1)) % series.length;
        tell(next, Math.min(Math.max(i, 0), series[next].x.length - 1));
      } else if (event.key === "Escape") quiet();
      else return;
      event.preventDefault();
    });
  }

  // --- a table that is wider than its place is scrolled by keyboard, too ---
  const reach = () => {
    for (const table of all(".table")) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", reach);

  // --- the slider ---
  const markers = [];
  for (const plot of all("#ranking svg[data-series]")) {
    for (const series of JSON.parse(plot.dataset.series)) {
      if (series.x.length) markers.push({ series, mark: draw(plot, "circle", { class: "marker", r: 6, visibility: "hidden" }) });
    }
  }
  const panels = all(".panel").map((panel) => {
    const data = JSON.parse(panel.dataset.slider);
    const input = panel.querySelector("input[type=range]");
    const last = data.thresholds.length - 1;
    const histogram = panel.querySelector("svg[data-scale]");
    let line = null;
    if (histogram) {
      const [low, high, left, right, top, bottom] = JSON.parse(histogram.dataset.scale);
      const rule = draw(histogram, "line", { class: "stop", y1: top, y2: bottom });
      line = (threshold) => {
        const share = high > low ? Math.min(Math.max((threshold - low) / (high - low), 0), 1) : 0.5;
        rule.setAttribute("x1", left + share * (right - left));
        rule.setAttribute("x2", left + share * (right - left));
      };
    }
    const show = (stop) => {
      const found = Math.round(data.tpr[stop] * data.anomaly);
      const alarms = Math.round(data.fpr[stop] * data.known);
      const missed = data.anomaly - found;
      const rates = {
        tpr: ratio(found, data.anomaly),
        fpr: ratio(alarms, data.known),
        precision: ratio(found, found + alarms),
        f1: ratio(2 * found, 2 * found + alarms + missed),
        iou: ratio(found, found + alarms + missed),
      };
      const read = {
        threshold: general(data.thresholds[stop], 4),
        parameter: data.parameters[stop],
        found: whole(found),
        missed: whole(missed),
        alarms: whole(alarms),
        quiet: whole(data.known - alarms),
        each: data.images ? whole(Math.round(alarms / data.images)) : "–",
      };
      for (const [name, share] of Object.entries(rates)) {
        read[name] = finePercent(share);
        panel.querySelector(`[data-meter="${name}"]`).style.width = `${100 * (share ?? 0)}%`;
      }
      for (const element of all("[data-read]", panel)) element.textContent = read[element.dataset.read];
      input.setAttribute("aria-valuetext", `${panel.dataset.score} at least ${read.threshold}`);
      line?.(data.thresholds[stop]);
      for (const { series, mark } of markers) {
        const own = series.name === panel.dataset.score;
        mark.setAttribute("visibility", own ? "visible" : "hidden");
        if (own) {
          mark.setAttribute("cx", series.x[stop]);
          mark.setAttribute("cy", series.y[stop]);
        }
      }
    };
    const stop = () => last - Number(input.value);
    input.addEventListener("input", () => show(stop()));
    for (const button of all("[data-stop]", panel)) {
      button.addEventListener("click", () => {
        input.value = last - Number(button.dataset.stop);
        show(stop());
      });
    }
    panel.querySelector(".control").hidden = false;
    return { panel, show: () => show(stop()) };
  });

  // --- one score at a time ---
  const tabs = all("[role=tab]");
  const choose = (index) => {
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    panels.forEach(({ panel, show }, i) => {
      panel.hidden = i !== index;
      panel.classList.toggle("live", tabs.length > 0);
      if (i === index) show();
    });
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(index));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (index + step + tabs.length) % tabs.length;
      choose(next);
      tabs[next].focus();
      event.preventDefault();
    });
  });
  if (tabs.length) tabs[0].parentElement.hidden = false;
  if (panels.length) choose(0);
  reach();

  // --- where on the page one is ---
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -75% 0px" });
  for (const section of all("main section[id]")) watch.observe(section);
})();
