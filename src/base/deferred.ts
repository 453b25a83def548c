/** Calls whose module is loaded when the first of them is made: most commands call few of the library's parts. */

type Kind<Call> = Call extends (...args: never[]) => AsyncIterable<unknown>
  ? "stream"
  : Call extends (...args: never[]) => Promise<unknown>
    ? "promise"
    : never;

/** What each call answers. A call that is added does not compile until it is named; one that answers at once cannot be deferred. */
export type Kinds<Api> = { readonly [Name in keyof Api]: Kind<Api[Name]> };

type Calls = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

export function deferred<Api extends object>(kinds: Kinds<Api>, load: () => Promise<Api>): Api {
  let loading: Promise<Calls> | undefined;
  const loaded = (): Promise<Calls> => (loading ??= load() as Promise<object> as Promise<Calls>);
  const promise =
    (name: string) =>
    async (...args: readonly unknown[]): Promise<unknown> =>
      await (await loaded())[name]?.(...args);
  const stream = (name: string) =>
    async function* (...args: readonly unknown[]): AsyncGenerator {
      yield* (await loaded())[name]?.(...args) as AsyncIterable<unknown>;
    };
  const makers = { promise, stream };
  const entries = Object.entries<keyof typeof makers>(kinds as Readonly<Record<string, keyof typeof makers>>);
  return Object.fromEntries(entries.map(([name, kind]) => [name, makers[kind](name)])) as Api;
}
