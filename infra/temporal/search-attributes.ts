import type { Temporal } from "./connection.ts";
import { GRPC, grpcStatus } from "./grpc-errors.ts";

/** The number of the type `Keyword` in Temporal's API. */
const KEYWORD = 2;

/**
 * Registers keyword search attributes that are not there yet. Safe to repeat, and for several nodes at once.
 * The server may need a few seconds to know a new one.
 */
export async function ensureKeywords({ client, namespace, call }: Temporal, names: readonly string[]): Promise<void> {
  const operator = client.connection.operatorService;
  const { customAttributes } = await call(() => operator.listSearchAttributes({ namespace }));
  const missing = names.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  try {
    await call(() =>
      operator.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
      }),
    );
  } catch (error) {
    if (grpcStatus(error)?.code !== GRPC.alreadyExists) throw error;
  }
}
