/** `stage-main.ts FOLDER`: lays the app out below a folder, for a Dockerfile. */
import { stageApp } from "./stage.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Name the folder: stage-main.ts FOLDER");
await stageApp(folder);
