import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, command } from "./api.ts";
import { useToast } from "./toasts.tsx";

/** A write that a button does. */
interface Action {
  readonly path: string;
  readonly json?: unknown;
  readonly method?: "POST" | "PUT" | "PATCH" | "DELETE";
  /** What to say when it is done. */
  readonly done: string;
  /** What else to do then, with the answer. */
  readonly then?: (answer: unknown) => void;
}

/** Runs writes: says what came of each, and asks anew for what they change. */
export function useAction(...changes: readonly QueryKey[]) {
  const say = useToast();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ path, json, method = "POST" }: Action) => command<unknown>(path, json, method),
    onSuccess: (answer, { done, then }) => {
      say("good", "done", done);
      then?.(answer);
    },
    onError: (error) => {
      const trace = error instanceof ApiError && error.traceId !== undefined ? ` (trace ${error.traceId})` : "";
      const places = error instanceof ApiError ? error.errors.map(({ path, message }) => `${path} ${message}`) : [];
      say("bad", "refused", [error.message, ...places].join(" · ") + trace);
    },
    onSettled: () => Promise.all(changes.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

/** What {@link useAction} gives: `mutate` runs a write, `isPending` while one is under way. */
export type RunAction = ReturnType<typeof useAction>;
