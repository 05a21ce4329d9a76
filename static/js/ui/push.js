// My subscriptions: messages in this browser are switched on here, by whoever sits before it.

import { onAct } from "../lib/dispatch.js";
import { post, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { bytesOf, fieldsOf, hindrance } from "../state/push.js";

const panel = document.getElementById("push");
const button = panel?.querySelector("[data-act=push-on]");
const note = document.getElementById("push-note");

const say = (words) => setText(note, words);

async function look() {
  const why = hindrance({
    secure: window.isSecureContext,
    worker: "serviceWorker" in navigator,
    push: "PushManager" in window,
    permission: window.Notification?.permission,
  });
  if (why) {
    say(why);
    return;
  }
  const worker = await navigator.serviceWorker.register(panel.dataset.worker, { scope: "/" });
  const here = await worker.pushManager.getSubscription();
  button.hidden = false;
  if (here) setText(button.lastChild, gettext("Switch on again in this browser"));
  say("");
}

async function switchOn() {
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") {
      say(
        gettext("The browser was told not to show messages of this page. Allow them beside the address, then try again."),
      );
      return;
    }
    const worker = await navigator.serviceWorker.ready;
    const wanted = { userVisibleOnly: true, applicationServerKey: bytesOf(panel.dataset.key) };
    // One that was made for another key cannot be used with ours.
    await (await worker.pushManager.getSubscription())?.unsubscribe();
    const made = await worker.pushManager.subscribe(wanted);
    const answer = await post(panel.dataset.add, fieldsOf(made.toJSON()));
    if (answer.ok) {
      location.reload();
      return;
    }
    const told = (await answer.json().catch(() => ({}))).error;
    say(told ?? fill(gettext("It was not switched on, the server answered %(status)s."), answer));
  } catch (error) {
    say(fill(gettext("The browser’s message service did not answer: %(error)s"), { error: error.message }));
  } finally {
    button.disabled = false;
  }
}

export function start() {
  if (!panel) return;
  onAct({ "push-on": switchOn });
  look().catch((error) => say(fill(gettext("Messages cannot be switched on here: %(error)s"), { error: error.message })));
}
