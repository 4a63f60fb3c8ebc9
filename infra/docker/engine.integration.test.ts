import { engineConformance } from "../engines/testing/conformance.ts";
import { testServer } from "../stack/for-tests.ts";
import { ECHO_IMAGE, ensureEchoImage } from "./echo-image.ts";
import { connectEngine } from "./engine.ts";

engineConformance("connectEngine() with Docker", async () => {
  const host = await testServer("docker");
  return {
    connect: (cluster) => connectEngine({ host, cluster }),
    image: ECHO_IMAGE,
    prepare: ensureEchoImage,
    containers: { kind: "real" },
    close: async () => undefined,
  };
});
