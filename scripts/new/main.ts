import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { placeOf } from "./names.ts";
import { scaffoldActor } from "./scaffold.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const USAGE = `bun run new actor [PRODUCT/]NAME    makes the actor's folder with its messages, its definition and a test that passes

  NAME        a singular noun in lower case, as in parcel or gift-card
  PRODUCT     a folder of actors/ to put it in, as in shop/gift-card (default: a folder of its own, actors/NAME)
  --dir DIR   the checkout to make it in (default: this one)
  --help      this text`;

/** The command. Answers the exit code: 0 made, 1 not made, 2 not understood. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { dir: { type: "string", default: ROOT }, help: { type: "boolean", short: "h", default: false } },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const [kind, name, ...others] = positionals;
    if (kind !== "actor" || name === undefined || others.length > 0) {
      console.error(`Cannot tell what to make from "${positionals.join(" ")}": expected "actor NAME"\n\n${USAGE}`);
      return 2;
    }
    return await newActor(name, resolve(values.dir));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // a flag that is not known
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

async function newActor(name: string, root: string): Promise<number> {
  try {
    const { product, names } = placeOf(name);
    const { folder, files } = await scaffoldActor(root, product, names);
    console.log(`Made ${files.join(", ")}

Try it:       bun test ${folder}
Register it:  add ${names.type} to "actors" in scripts/app/system.ts, with
              import { ${names.type} } from "#${folder}/${names.actor}.ts";`);
    return 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    return 1;
  }
}
