#!/usr/bin/env bun
/**
 * `bun run contracts`: compares the actor types of the code with `actors/<product>/<noun>/contract.json`, so that a change of what
 * others rely on is seen in review, and one that nodes of the version before could not live with is stopped.
 * `--accept` writes the files anew. Exits with 1 when they differ.
 */
import { parseArgs } from "node:util";
import { contractOf } from "#infra/contracts/contract.ts";
import { silentLog } from "#runtime";
import { createGateway } from "./app/gateway.ts";
import { actorTypes } from "./app/system.ts";
import { compareContracts } from "./contracts/compare.ts";

const { values } = parseArgs({ options: { accept: { type: "boolean", default: false } } });
const gateway = createGateway({ WEBHOOK_ALLOW_PRIVATE: "off" }, () => ({ WEBHOOK_RETRIES: [] }), silentLog);
const contracts = actorTypes({ DELIVERY_STEP: "1s", DELIVERY_COURIER: "sandbox" }, gateway).map(contractOf);
const { lines, differ } = await compareContracts(`${import.meta.dirname}/../actors`, contracts, values.accept);
for (const line of lines) console.log(line);
process.exit(differ && !values.accept ? 1 : 0);
