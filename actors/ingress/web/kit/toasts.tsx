import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { State, type Tone } from "./state.tsx";

interface Toast {
  readonly id: number;
  readonly tone: Tone;
  readonly word: string;
  readonly content: ReactNode;
}

type Say = (tone: Tone, word: string, content: ReactNode) => void;
const Context = createContext<Say>(() => undefined);
const SHOWN_MS = 6_000;
const MOST = 4;
let last = 0;

/** Says what an action did, with a link to what it made. Read out by screen readers. */
export function useToast(): Say {
  return useContext(Context);
}

/** Holds the toasts of the page. */
export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const say = useCallback<Say>((tone, word, content) => {
    const id = ++last;
    setToasts((shown) => [...shown.slice(1 - MOST), { id, tone, word, content }]);
    setTimeout(() => setToasts((shown) => shown.filter((toast) => toast.id !== id)), SHOWN_MS);
  }, []);
  return (
    <Context value={useMemo(() => say, [say])}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, tone, word, content }) => (
          <div key={id} className="toast">
            <State tone={tone}>{word}</State>
            <div className="grow">{content}</div>
          </div>
        ))}
      </div>
    </Context>
  );
}
