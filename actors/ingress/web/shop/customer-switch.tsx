import { UserRound } from "lucide-react";
import { useState } from "react";
import { Dialog } from "../kit/dialog.tsx";
import { customer } from "./customer.ts";

const KNOWN = ["ada", "grace", "alan", "edsger"];

/** For whom one shops: the demo has no accounts, so everybody may be anybody. */
export function CustomerSwitch() {
  const id = customer.use();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const become = (next: string): void => {
    customer.set(() => next);
    setTyped("");
    setOpen(false);
  };
  return (
    <>
      <button
        type="button"
        className="button quiet customer"
        aria-label={`Customer ${id}. Change`}
        onClick={() => setOpen(true)}
      >
        <UserRound size={16} aria-hidden="true" />
        <span className="clip">{id}</span>
      </button>
      <Dialog title="Shop as" open={open} onClose={() => setOpen(false)}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (typed.trim() !== "") become(typed.trim());
          }}
        >
          <div className="row">
            {KNOWN.map((name) => (
              <button
                key={name}
                type="button"
                className="button"
                aria-pressed={name === id}
                onClick={() => become(name)}
              >
                {name}
              </button>
            ))}
          </div>
          <div className="field">
            <label htmlFor="customer-id">Another customer id</label>
            <div className="row">
              <input
                id="customer-id"
                className="input grow"
                maxLength={100}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
              <button type="submit" className="button primary">
                Shop as
              </button>
            </div>
          </div>
        </form>
      </Dialog>
    </>
  );
}
