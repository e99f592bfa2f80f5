// The check-in works without this file. It keeps ticks and severities together, and reads the temperature back.
(() => {
  "use strict";
  const form = document.querySelector("form.check-in");
  if (!form) return;

  form.addEventListener("change", (event) => {
    const input = event.target;
    // Unticking a symptom takes its severity away; a severity ticks its symptom.
    if (input.name === "symptoms" && !input.checked) {
      const symptom = input.closest(".symptom");
      for (const radio of symptom.querySelectorAll("[type=radio]")) radio.checked = false;
      for (const field of symptom.querySelectorAll("select, [type=text]")) field.value = "";
    }
    if (input.name.startsWith("how_")) input.closest(".symptom").querySelector("[name=symptoms]").checked = true;
    // A red flag takes "None of these" away. Never the other way round: a slip must not remove a red flag.
    if (input.name === "flags" && input.checked) form.elements.none_of_flags.checked = false;
  });

  // The same as last time, without leaving the page: symptoms and severities only, and none that is chosen already.
  const same = form.querySelector("[data-same]");
  same?.addEventListener("click", (event) => {
    event.preventDefault();
    for (const part of same.dataset.same.split(" ").filter(Boolean)) {
      const [code, grade] = part.split(":");
      const radio = form.querySelector(`[name="how_${code}"][value="${grade}"]`);
      if (!radio || radio.closest(".symptom").querySelector("[name=symptoms]:checked")) continue;
      radio.checked = true;
      const chip = radio.closest(".symptom").querySelector("[name=symptoms]");
      chip.checked = true;
      const more = radio.closest("details");
      if (more) more.open = true;
    }
    const ticked = form.querySelector("[name=symptoms]:checked") !== null;
    form.elements.no_symptoms.checked = !ticked && !same.dataset.same;
    document.getElementById("same-done").textContent = same.dataset.done;
  });

  const box = form.elements.temperature;
  const echo = document.getElementById("temp-echo");
  const empty = echo.textContent;
  const read = () => {
    const match = /^\s*(\d{2,3})(?:[.,](\d+))?/.exec(box.value);
    const value = match && Number(`${match[1]}.${match[2] ?? 0}`);
    const unit = value >= 30 && value <= 45 ? "C" : value >= 86 && value <= 113 ? "F" : null;
    echo.textContent = unit ? `${echo.dataset.echo} ${value} °${unit}` : empty;
    if (unit) form.querySelector(`[name=unit][value=${unit}]`).checked = true;
  };
  box.addEventListener("input", read);
})();
