/** `bun infra/durable-object/write-migrations.ts` writes `migrations.ts` anew. */
import { join } from "node:path";
import { migrationsModule } from "./migrations-module.ts";

await Bun.write(join(import.meta.dir, "migrations.ts"), await migrationsModule());
