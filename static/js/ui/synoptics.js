// The list of synoptics: the small pictures follow the theme.

const root = document.documentElement;

export function start() {
  document.addEventListener("andon:theme", () => {
    for (const picture of document.querySelectorAll("img[data-preview]")) {
      picture.src = `${picture.dataset.preview}&theme=${root.dataset.theme ?? ""}`;
    }
  });
}
