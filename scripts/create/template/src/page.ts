import { connect } from "troupe/client";
import type { Counter } from "./counter.ts"; // its types alone: no server code gets into the page

const client = connect<{ counter: typeof Counter }>("/actors", { transport: "websocket" });
const visits = client.ref("counter", "visits");
const button = document.querySelector("button");

button?.addEventListener("click", () => void visits.add({ by: 1 }));
for await (const { state } of client.watch("counter", "visits")) {
  if (button !== null) button.textContent = String(state.count);
}
