/** Asks for a key while the keyring cannot be asked yet, and again once it can. A process of its own: what it tests for held one for ever. */
import { newSecret } from "#actors/access/keyring/secret.ts";
import { KeyDirectory } from "./key-directory.ts";

let ms = 0;
let started = false;
const directory = new KeyDirectory({
  monotonic: () => ms,
  // Not async: a node that has not started throws before there is a promise.
  read: () => {
    if (!started) throw new Error("Cannot call keyring/main as the node has not started");
    return Promise.resolve({ changes: 1, keys: [] });
  },
});
const asked = (): Promise<unknown> => directory.find(newSecret());
const early = await Promise.allSettled([asked(), asked()]);
started = true;
ms = 500;
console.log(
  JSON.stringify([...early.map(({ status }) => status), (await asked()) === undefined ? "unknown" : "known"]),
);
