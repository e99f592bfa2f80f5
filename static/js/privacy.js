// The page about what mails say works without this file. It shows the chosen mail on the chosen level at once.
(() => {
  "use strict";
  const form = document.querySelector("form[data-mail]");
  const frame = form?.querySelector("iframe");
  if (!frame) return;

  form.addEventListener("change", (event) => {
    // Replaced, not followed: the Back button leaves the page and not one mail after the other.
    if (event.target.name === "kind") form.requestSubmit(form.querySelector(".pick [type=submit]"));
    if (event.target.name === "privacy") frame.contentWindow.location.replace(form.dataset.mail.replace("LEVEL", event.target.value));
  });
})();
