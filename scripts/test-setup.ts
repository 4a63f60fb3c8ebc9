import { setDefaultTimeout } from "bun:test";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);
