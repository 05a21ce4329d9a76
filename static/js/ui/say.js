// What screen readers hear: alarms and the results of own actions, never values.

import { voice } from "../state/voice.js";

const line = voice();
const soon = document.getElementById("say-soon");
const urgently = document.getElementById("say-now");
let timer = null;

function speak() {
  timer = null;
  const message = line.next(performance.now());
  if (message) (message.urgent ? urgently : soon).textContent = message.text;
  timer = setTimeout(speak, 500);
}

export function say(text, isUrgent = false) {
  line.add(text, isUrgent);
  if (timer === null) speak();
}
