import type { AscQueryClient } from "./generated/Asc.client";
import type { RequestId, RequestView } from "./generated/Asc.types";

/** How to wait. */
export interface WatchOptions {
  /** Pause between two questions, in milliseconds; 500 if absent. */
  intervalMs?: number;
  /** Ends the waiting, with an error. */
  signal?: AbortSignal;
  /** Told each view of the request, the last one included. */
  onView?: (view: RequestView) => void;
}

/**
 * Waits until a request has ended: `fulfilled`, `failed`, `expired`, `cancelled` or `denied`. By its deadline it has.
 * With `due` set nobody has closed it yet: the price comes back with `close`, which anybody may send.
 *
 * Contract state is asked again and again. Events are quicker, but a node may drop them.
 */
export async function watch(
  asc: AscQueryClient,
  requestId: RequestId,
  options: WatchOptions = {},
): Promise<RequestView> {
  for (;;) {
    options.signal?.throwIfAborted();
    const view = await asc.request({ id: requestId });
    options.onView?.(view);
    if (view.state !== "pending") {
      return view;
    }
    await pause(options.intervalMs ?? 500, options.signal);
  }
}

/** Waits that long, or until the signal. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}
