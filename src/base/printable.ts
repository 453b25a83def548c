/**
 * Text that comes from images, registries and Dockerfiles loses its control characters, and those that turn the
 * direction of what stands beside them, before it reaches a terminal or a log line. Tab and newline stay.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}
