import { useEffect, useState } from "react";
import { onKeyAsked } from "./api.ts";
import { Dialog } from "./dialog.tsx";

/** Asks for an API key when an answer was 401. It is kept for as long as the tab is open. */
export function SignIn() {
  const [asked, setAsked] = useState<{ refused: boolean; answer: (key: string) => void }>();
  const [key, setKey] = useState("");
  useEffect(() => onKeyAsked(setAsked), []);
  const enter = (): void => {
    if (key.trim() === "") return;
    asked?.answer(key.trim());
    setKey("");
    setAsked(undefined);
  };
  return (
    <Dialog title="Sign in" open={asked !== undefined} onClose={() => undefined}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          enter();
        }}
      >
        <p>
          {asked?.refused === true
            ? "This key is unknown, revoked or expired."
            : "What this page shows needs an API key."}
        </p>
        <div className="field">
          <label htmlFor="key">API key</label>
          <input
            id="key"
            className="input"
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </div>
        <p className="small soft">It is kept until this tab is closed, and sent in a header only.</p>
        <button className="button primary">Sign in</button>
      </form>
    </Dialog>
  );
}
