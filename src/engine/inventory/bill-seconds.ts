/** The time that documents about an image say. */
import type { ImageInventory } from "../../trust/packages/image-inventory.ts";

/** SOURCE_DATE_EPOCH, else when the image was made, else 1970: the same image gives the same bytes. */
export function billSeconds(image: ImageInventory, env: Readonly<Record<string, string | undefined>>): number {
  const epoch = env["SOURCE_DATE_EPOCH"] ?? "";
  return /^\d{1,12}$/.test(epoch) ? Number(epoch) : (image.createdSeconds ?? 0);
}
