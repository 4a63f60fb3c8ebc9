import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { command } from "../kit/api.ts";
import { Dialog } from "../kit/dialog.tsx";
import { Failure } from "../kit/feedback.tsx";
import { AddressFields, type AddressForm } from "./address-fields.tsx";
import type { Order } from "./types.ts";

const EMPTY: AddressForm = { name: "", street: "", postcode: "", city: "", country: "DE" };

/** Sends an order elsewhere, until the courier has it. */
export function ChangeAddress({ order: { orderId, address } }: { order: Order }) {
  const [open, setOpen] = useState(false);
  const [to, setTo] = useState<AddressForm>({
    ...EMPTY,
    ...(typeof address === "object" ? address : { street: address }),
  });
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () => command<unknown>(`/orders/${orderId}/address`, { address: to }),
    onSuccess: () => {
      setOpen(false);
      void queries.invalidateQueries({ queryKey: ["order", orderId] });
    },
  });
  return (
    <>
      <button type="button" className="button quiet" onClick={() => setOpen(true)}>
        Change
      </button>
      <Dialog
        title="Send it elsewhere"
        open={open}
        onClose={() => setOpen(false)}
        foot={
          <button type="button" className="button primary" disabled={change.isPending} onClick={() => change.mutate()}>
            Send it there
          </button>
        }
      >
        <div className="stack">
          <AddressFields value={to} onChange={setTo} />
          {change.isError && <Failure error={change.error} />}
        </div>
      </Dialog>
    </>
  );
}
