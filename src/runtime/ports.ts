/** Published ports: Docker's `-p` forms as values. @see docker run --publish */
import { SlipwayError } from "../base/errors.ts";

export type PortProtocol = "tcp" | "udp" | "sctp";

export interface PortMapping {
  /** "" means every address of both families */
  readonly hostIp: string;
  /** 0 lets the system choose when the container starts */
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** Takes every form of `-p`: [[ip:]hostPort[-end]:]containerPort[-end][/protocol]. A range gives one mapping a port. */
export function parsePublish(text: string): PortMapping[] {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", text);
}
