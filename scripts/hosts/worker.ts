/** The suite as a worker: every request runs it and is answered with the outcome as JSON. */
import { runSuite } from "./suite.ts";

// oxlint-disable-next-line import/no-default-export -- the form of a worker
export default {
  async fetch(): Promise<Response> {
    return Response.json(await runSuite());
  },
};
