/** Answers of a server that lets somebody sign in with a code: what is missing or of another type counts as not said. @see RFC 8628 */
export type DeviceAnswer = Readonly<Record<string, unknown>>;

export function parseDeviceAnswer(text: string): DeviceAnswer {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as DeviceAnswer) : {};
  } catch {
    return {};
  }
}

export function textIn(answer: DeviceAnswer, key: string): string {
  const value = answer[key];
  return typeof value === "string" ? value : "";
}

export function secondsIn(answer: DeviceAnswer, key: string, otherwise: number): number {
  const value = answer[key];
  return typeof value === "number" && value > 0 ? value : otherwise;
}
