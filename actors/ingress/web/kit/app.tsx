import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./api.ts";
import { SignIn } from "./sign-in.tsx";
import { Toasts } from "./toasts.tsx";

/** Starts an application of pages in the document's `#root`. */
export function start(pages: ReactNode): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("Cannot start as the document has no #root");
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Toasts>
          {pages}
          <SignIn />
        </Toasts>
      </QueryClientProvider>
    </StrictMode>,
  );
}
