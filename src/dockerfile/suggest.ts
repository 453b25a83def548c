/** "did you mean": the nearest known word, if it is near enough. */

const maximumDistance = 2;
const maximumLength = 64;

/** The option nearest to `word` by edit distance (at most 2), undefined when none is near or one is equal. */
export function findSuggestion(word: string, options: Iterable<string>): string | undefined {
  if (word.length > maximumLength) return undefined;
  let nearest: string | undefined;
  let nearestDistance = maximumDistance + 1;
  for (const option of options) {
    if (option === word) return undefined;
    if (Math.abs(option.length - word.length) >= nearestDistance) continue;
    const distance = editDistance(word, option);
    if (distance < nearestDistance) {
      nearest = option;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** Like findSuggestion, blind to case: the answer takes the case of `word`. Options are lower case. */
export function findSuggestionAnyCase(word: string, options: Iterable<string>): string | undefined {
  const match = findSuggestion(word.toLowerCase(), options);
  if (match === undefined || word !== word.toUpperCase()) return match;
  return match.toUpperCase();
}

/** `message (did you mean x?)`, or the message alone. */
export function withSuggestion(message: string, suggestion: string | undefined): string {
  return suggestion === undefined ? message : `${message} (did you mean ${suggestion}?)`;
}

/** Levenshtein distance of two short words. */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
