/** A process that fails as its argument says. Ends by itself with 0 after it survived. */
import { jsonLog } from "./json-log.ts";
import { writeDownUncaught } from "./last-words.ts";

writeDownUncaught(jsonLog("info"));
const [how] = process.argv.slice(2);
if (how === "throw")
  setTimeout(() => {
    throw new TypeError("Cannot go on");
  }, 1);
else void Promise.reject(new TypeError("Cannot wait"));
setTimeout(() => process.stdout.write("survived\n", () => process.exit(0)), 300);
