/** A string that was checked where it entered the program: `Brand<string, "Digest">` cannot be made by accident. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
