/** The gRPC status codes the adapter tells apart. */
export const GRPC = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  unavailable: 14,
} as const;

/** The gRPC status of an error, also of one that the SDK wrapped; `undefined` for an error of another kind. */
export function grpcStatus(error: unknown): { readonly code: number; readonly details: string } | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "number") {
      const details = "details" in at && typeof at.details === "string" ? at.details : at.message;
      return { code: at.code, details };
    }
  }
  return undefined;
}

/** Whether a `NOT_FOUND` is about the namespace: a matter of set-up, not of one workflow. */
export function isNamespaceMissing(details: string): boolean {
  return /namespace/i.test(details) && !/workflow/i.test(details);
}
