export const describe = (name, words) => `${name} with ${words.length} words: ${words.join(", ")}`;
