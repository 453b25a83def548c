/** A number of permits for work that may run at once; who comes later waits in line. */
import { abortError } from "./network-error.ts";

export interface Limiter {
  /** Fails as abortError says when the signal aborts while waiting. The permit is given back on disposal, once. */
  acquire(signal?: AbortSignal): Promise<Disposable>;
}

export function createLimiter(permits: number): Limiter {
  let free = permits;
  const line = new Set<() => void>();

  function permit(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const [next] = line;
        if (next === undefined) free++;
        else next();
      },
    };
  }

  function wait(signal?: AbortSignal): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        line.delete(enter);
        if (signal !== undefined) reject(abortError(signal));
      };
      const enter = (): void => {
        line.delete(enter);
        signal?.removeEventListener("abort", leave);
        resolve(permit());
      };
      line.add(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  return {
    async acquire(signal) {
      if (signal?.aborted === true) throw abortError(signal);
      if (free === 0) return wait(signal);
      free--;
      return permit();
    },
  };
}
