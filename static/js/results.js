// Entering results works without this file. It reads each box back while one goes on, in the words of the server:
// nothing is understood here, so that there is no second truth.
(() => {
  "use strict";
  const form = document.querySelector("form[data-reads]");
  if (!form) return;
  const asked = new Map();

  const put = (part) => {
    const place = form.querySelector(`[data-said="${part.dataset.said}"]`);
    if (!place || place.innerHTML === part.innerHTML) return;
    place.replaceChildren(...part.childNodes);
    const box = place.closest("[data-box]")?.querySelector("input");
    if (part.dataset.wrong === "0") box.removeAttribute("aria-invalid");
    else if (part.dataset.wrong) box.setAttribute("aria-invalid", "true");
  };

  form.addEventListener("change", async (event) => {
    const name = event.target.closest("[data-box]")?.dataset.box;
    if (!name) return;
    const turn = (asked.get(name) ?? 0) + 1;
    asked.set(name, turn);
    const sent = new FormData(form);
    sent.set("look", name);
    try {
      const answer = await fetch(window.location.href, { method: "POST", body: sent });
      if (!answer.ok || asked.get(name) !== turn) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of page.querySelectorAll("[data-said]")) put(part);
    } catch {
      // Without the server nothing is read back; what was typed stays, and Save asks it anyway.
    }
  });
})();
