import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Bell as Icon } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { ask } from "../kit/api.ts";
import { Dialog } from "../kit/dialog.tsx";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { useLive } from "../kit/live.ts";
import { stored } from "../kit/stored.ts";
import { When } from "../kit/time.tsx";
import { customer } from "./customer.ts";
import type { Notices } from "./types.ts";

/** When this browser last looked at the notifications of each customer. */
const seen = stored<Readonly<Record<string, number>>>("troupe-seen", (kept) =>
  typeof kept === "object" && kept !== null ? (kept as Record<string, number>) : {},
);

/** What the customer was told, with a count of what is new. */
export function Bell() {
  const customerId = customer.use();
  const seenAt = seen.use()[customerId] ?? 0;
  const [open, setOpen] = useState(false);
  const queries = useQueryClient();
  const queryKey = ["notifications", customerId];
  const notices = useQuery({
    queryKey,
    queryFn: () => ask<Notices>(`/notifications/${encodeURIComponent(customerId)}`),
    refetchInterval: 30_000,
  });
  useLive([`notifications/${customerId}`], () => void queries.invalidateQueries({ queryKey }));
  const items = notices.data?.items ?? [];
  const fresh = items.filter(({ at, read }) => read !== true && Date.parse(at) > seenAt).length;
  return (
    <>
      <button
        type="button"
        className="button quiet counted"
        aria-label={`Notifications, ${fresh} new`}
        onClick={() => {
          setOpen(true);
          seen.set((all) => ({ ...all, [customerId]: Date.now() }));
        }}
      >
        <Icon size={18} aria-hidden="true" />
        {fresh > 0 && <span className="badge number">{fresh}</span>}
      </button>
      <Dialog title={`Notifications of ${customerId}`} kind="drawer" open={open} onClose={() => setOpen(false)}>
        {notices.isPending && <Skeleton rows={4} height={48} />}
        {notices.isError && <Failure error={notices.error} retry={() => void notices.refetch()} />}
        {notices.isSuccess && items.length === 0 && (
          <Empty title="Nothing to tell yet">What happens to your orders is told here.</Empty>
        )}
        {items.length > 0 && (
          <>
            <p className="soft small">{plural(items.length, "notification")}</p>
            <ul className="notices">
              {items.map(({ id, text, orderId, at }) => (
                <li key={id}>
                  <Link href={`/shop/orders/${orderId}`} onClick={() => setOpen(false)}>
                    <span className="grow">{text}</span>
                    <span className="soft small">
                      <When at={at} />
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          </>
        )}
      </Dialog>
    </>
  );
}
