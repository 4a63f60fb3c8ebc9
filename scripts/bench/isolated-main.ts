/** `isolated-main.ts MODULE EXPORT ARGS`: runs one measurement and prints its result as JSON, see `isolated.ts`. */
const [file, name, args] = process.argv.slice(2);
if (file === undefined || name === undefined || args === undefined)
  throw new TypeError("Expected a module, an export and its arguments");
const module = (await import(file)) as Record<string, (...args: unknown[]) => Promise<unknown>>;
const measure = module[name];
if (measure === undefined) throw new TypeError(`There is no export "${name}" in ${file}`);
console.log(JSON.stringify(await measure(...(JSON.parse(args) as unknown[]))));
process.exit(0);
