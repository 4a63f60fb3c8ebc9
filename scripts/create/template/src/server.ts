import { createTroupe } from "troupe";
import { actorHandler, bunSockets } from "troupe/http";
import { sqlite } from "troupe/sqlite";
import { Counter } from "./counter.ts";
import page from "./page.html";

/** Serves the page at `/` and the actors at `/actors`. Port 0: a free one. */
export async function serve(port: number, file: string) {
  const troupe = await createTroupe({ actors: [Counter], stores: { default: sqlite(file) }, leaseMs: 1_000 });
  const door = actorHandler(troupe, {
    base: "/actors",
    actors: [Counter],
    // Here anybody may. Look at the request to say who does.
    authorize: () => true,
  });
  const server = Bun.serve({ port, routes: { "/": page }, ...bunSockets(door) });
  return {
    url: `http://localhost:${server.port}`,
    async stop() {
      door.close();
      await server.stop();
      await troupe.stop();
    },
  };
}

if (import.meta.main) {
  const { url } = await serve(Number(process.env["PORT"] ?? 3_000), process.env["DATA"] ?? "data/app.db");
  console.log(`Listening at ${url}`);
}
