/**
 * The stream's answer to a publish. Almost every answer is `{"stream":"…", "seq":123}`, or the same
 * without the blank where the message has an id, which is read without JSON.
 */

export interface PubAck {
  /** Sequence of the message, of the last one for a batch. */
  readonly seq: number;
  readonly duplicate: boolean;
  /** Messages in the batch; 1 for a plain publish. */
  readonly count: number;
  readonly error: ApiError | undefined;
}

export interface ApiError {
  /** HTTP-like: 4xx is final, 429 and 5xx are temporary. */
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

const letterS = 0x73;
const blank = 0x20;
const quote = 0x22;
const colon = 0x3a;
const brace = 0x7d;

/** Reads acknowledgements of one stream. */
export function pubAckReader(stream: string): (data: Uint8Array) => PubAck {
  const fieldStart = `{"stream":"${stream}",`.length;
  return (data) => {
    const seq = plainSequence(data, fieldStart);
    return seq > 0 ? { seq, duplicate: false, count: 1, error: undefined } : parsePubAck(data);
  };
}

/** The number when `"seq":` follows the stream's name, and nothing follows the number; else 0. */
function plainSequence(data: Uint8Array, fieldStart: number): number {
  const end = data.length - 1;
  const start = data[fieldStart] === blank ? fieldStart + 1 : fieldStart;
  const digitsStart = start + `"seq":`.length;
  if (data[2] !== letterS || data[start] !== quote || data[start + 1] !== letterS) return 0;
  if (data[digitsStart - 1] !== colon || data[end] !== brace) return 0;
  let seq = 0;
  for (let i = digitsStart; i < end; i++) {
    const digit = (data[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return 0;
    seq = seq * 10 + digit;
  }
  return seq;
}

function parsePubAck(data: Uint8Array): PubAck {
  try {
    const ack = JSON.parse(Buffer.from(data).toString()) as Partial<PubAck>;
    const { seq = 0, duplicate = false, count = 1, error } = ack;
    if (seq > 0 || error !== undefined) return { seq, duplicate, count, error };
  } catch {
    // Falls through: not an answer of a stream.
  }
  const error: ApiError = { code: 500, err_code: 0, description: "the answer is not a PubAck" };
  return { seq: 0, duplicate: false, count: 0, error };
}
