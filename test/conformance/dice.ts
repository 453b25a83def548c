/** Chance that is the same for the same seed. */

export interface Dice {
  /** 0 … below */
  roll(below: number): number;
  pick<Value>(list: readonly Value[]): Value;
  chance(share: number): boolean;
}

/** Mulberry32: small, and the same everywhere. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const roll = (below: number): number => Math.floor(next() * below);
  return {
    roll,
    pick: (list) => {
      const value = list[roll(list.length)];
      if (value === undefined) throw new Error("nothing to pick from");
      return value;
    },
    chance: (share) => next() < share,
  };
}
