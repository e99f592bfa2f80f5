// Charts work without this file: every point is a link and a row of the table. It reads points out one by one:
// arrow keys on a focused chart, or the pointer; Enter goes to the row.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const status = document.querySelector("[data-chart-read]");

  const make = (name, parent, attributes = {}) => {
    const element = parent.appendChild(document.createElementNS(SVG, name));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  // What the row of a point says: the value and whether it counts, then the day.
  const words = (chart, key) => {
    const row = document.getElementById(key);
    if (!row) return null;
    const test = chart.closest("[data-chart]").dataset.chart;
    const value = row.querySelector(`[data-test="${test}"]`)?.textContent.trim();
    const tag = row.querySelector(".tag")?.textContent.trim();
    return [[value, tag].filter(Boolean).join(", "), row.querySelector("th a").textContent.trim()];
  };

  for (const chart of document.querySelectorAll("svg.points")) {
    const points = chart.dataset.points.split(";").map((text) => text.split(" ")).filter((point) => point.length === 3);
    if (!points.length) continue;
    const width = chart.viewBox.baseVal.width;
    let at = -1;
    let read = null;

    const show = (index) => {
      at = Math.min(Math.max(index, 0), points.length - 1);
      const [x, y, key] = points[at];
      const said = words(chart, key);
      read?.remove();
      if (!said) return;
      read = make("g", chart, { class: "c-read", "aria-hidden": "true" });
      make("circle", read, { cx: x, cy: y, r: 9 });
      const anchor = x > width * 0.7 ? "end" : x < width * 0.3 ? "start" : "middle";
      const top = y > 72 ? y - 38 : Number(y) + 32;
      const lines = make("g", read);
      said.forEach((line, n) => {
        make("text", lines, { x, y: top + 20 * n, "text-anchor": anchor }).textContent = line;
      });
      const room = lines.getBBox();
      const place = { x: room.x - 6, y: room.y - 4, width: room.width + 12, height: room.height + 8, rx: 4 };
      read.insertBefore(make("rect", read, place), lines);
      if (status) status.textContent = said.join(", ");
    };
    const hide = () => {
      read?.remove();
      at = -1;
    };

    // One stop for the Tab key: the chart. Its links stay for the pointer.
    chart.setAttribute("tabindex", "0");
    for (const link of chart.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
    chart.addEventListener("focus", () => show(at < 0 ? points.length - 1 : at));
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: points.length - 1 }[event.key];
      if (step !== undefined) show(step);
      else if (event.key === "Escape") hide();
      else if (event.key === "Enter" && at >= 0) location.hash = points[at][2];
      else return;
      event.preventDefault();
    });
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const scale = width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const far = points.map((point) => Math.hypot(point[0] - x, (point[1] - y) / 3));
      const nearest = far.indexOf(Math.min(...far));
      if (nearest !== at) show(nearest);
    });
    chart.addEventListener("pointerleave", () => document.activeElement === chart || hide());
  }
})();
