// The editor of a plan works without this file. It keeps the totals while one types, exactly, and shows only the hours
// that the schedule uses. Amounts are counted in thousandths of a million units, as whole numbers.
(() => {
  "use strict";
  const form = document.querySelector("form[data-plan]");
  const sum = form?.querySelector("[data-sum]");
  if (!sum) return;

  const box = (name) => form.elements.namedItem(name);
  const ticked = (name) => [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((tick) => tick.value);

  function days(text) {
    const found = [];
    for (const run of text.replaceAll("–", "-").replaceAll(",", " ").replace(/\s*([-/])\s*/g, "$1").trim().split(/\s+/)) {
      const match = /^(\d{1,4})(?:-(\d{1,4})(?:\/(\d{1,4}))?)?$/.exec(run);
      if (!match) return null;
      const last = Number(match[2] ?? match[1]);
      const step = Number(match[3] ?? 1);
      if (step === 0 || last > 3660) return null;
      for (let day = Number(match[1]); day <= last; day += step) found.push(day);
    }
    return found.length ? found : null;
  }

  function thousandths(text) {
    const match = /^(\d{1,5})(?:\.(\d{1,3})|,(\d{1,2}))?$/.exec(text.trim());
    return match ? BigInt(match[1]) * 1000n + BigInt((match[2] ?? match[3] ?? "").padEnd(3, "0")) : null;
  }

  function number(amount) {
    const whole = (amount / 1000n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
    const rest = (amount % 1000n).toString().padStart(3, "0").replace(/0+$/, "");
    return rest ? `${whole}.${rest}` : whole;
  }

  // One part of the schedule: the amount of each day; null while something is missing.
  function part(phase) {
    const byDay = new Map();
    let count = 0;
    const first = box(`p${phase}l1_amount`)?.value || box("p1l1_amount")?.value || "";
    for (let line = 1; box(`p${phase}l${line}_days`); line += 1) {
      const name = `p${phase}l${line}`;
      const typed = box(`${name}_amount`).value.trim();
      const amount = thousandths(typed || (form.dataset.fills === "yes" ? first : ""));
      const on = days(box(`${name}_days`).value);
      const slots = ticked(`${name}_slots`).length;
      if (amount === null || on === null || !slots) return null;
      for (const day of on) byDay.set(day, (byDay.get(day) ?? 0n) + amount * BigInt(slots));
      count += on.length * slots;
    }
    return { byDay: [...byDay.values()], count };
  }

  function words(found) {
    const daily = found.byDay.reduce((most, amount) => (amount > most ? amount : most), 0n);
    const course = found.byDay.reduce((total, amount) => total + amount, 0n);
    const even = found.byDay.every((amount) => amount === daily);
    return (even ? sum.dataset.even : sum.dataset.most)
      .replace("{daily}", number(daily))
      .replace("{course}", number(course))
      .replace("{count}", found.count);
  }

  function refresh() {
    const parts = [];
    for (let phase = 1; box(`p${phase}_days`); phase += 1) parts.push(part(phase));
    if (parts.every(Boolean)) {
      sum.replaceChildren(
        ...parts.map((found, index) => {
          const line = document.createElement("p");
          const which = parts.length > 1 ? `${sum.dataset.part.replace("{part}", index + 1)} ` : "";
          line.textContent = `= ${which}${words(found)}`;
          return line;
        }),
      );
    } else {
      for (const line of sum.children) line.classList.add("muted");
    }
    const used = new Set([...form.querySelectorAll('input[name$="_slots"]:checked')].map((tick) => tick.value));
    for (const hour of form.querySelectorAll("[data-hours] [data-slot]")) hour.hidden = !used.has(hour.dataset.slot);
  }

  form.addEventListener("input", refresh);
  refresh();
})();
