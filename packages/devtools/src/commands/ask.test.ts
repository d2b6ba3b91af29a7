import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import type { BankSystem } from "../../fixtures/bank-system.ts";

let bank: BankSystem;

beforeAll(async () => {
  bank = await startBankSystem();
});

afterAll(() => bank[Symbol.asyncDispose]());

describe("ask", () => {
  test("prints the reply as JSON", async () => {
    const asked = await bank.run(["ask", "account/ann", "deposit", '{"amount":5}']);
    expect(asked).toEqual({ code: 0, stdout: "5\n", stderr: "" });
  });

  test("sends an empty object when no payload is given", async () => {
    const asked = await bank.run(["ask", "account/nobody", "balance"]);
    expect(asked).toMatchObject({ code: 0, stdout: "0\n" });
  });

  test("takes the payload from the standard input", async () => {
    const asked = await bank.run(["ask", "account/陈晓明", "deposit", "-"], '{"amount":7}');
    expect(asked).toMatchObject({ code: 0, stdout: "7\n" });
  });

  test("returns the recorded reply for a message id that was handled", async () => {
    const ask = ["ask", "account/twice", "deposit", '{"amount":5}', "--id", "deposit-1"];
    expect((await bank.run(ask)).stdout).toBe("5\n");
    expect((await bank.run(ask)).stdout).toBe("5\n");
    expect((await bank.run(["ask", "account/twice", "balance"])).stdout).toBe("5\n");
  });

  test("shows the reason and the data of a rejection", async () => {
    const asked = await bank.run(["ask", "account/poor", "withdraw", '{"amount":3}']);
    expect(asked).toEqual({
      code: 1,
      stdout: "",
      stderr: 'error: The message was rejected: insufficient funds.\n  data: {"missing":3}\n',
    });
  });

  test("shows a rejection as JSON when it is asked for", async () => {
    const asked = await bank.run(["ask", "account/poor", "withdraw", '{"amount":3}', "--json"]);
    expect(asked.code).toBe(1);
    expect(JSON.parse(asked.stderr)).toMatchObject({
      error: { code: "rejected", details: { reason: "insufficient funds", data: { missing: 3 } } },
    });
  });

  test("names the field that the schema refuses", async () => {
    const asked = await bank.run(["ask", "account/poor", "deposit", '{"amount":"x"}']);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("amount: Invalid input");
  });

  test("lists the known types for an unknown one", async () => {
    const asked = await bank.run(["ask", "acount/ann", "deposit"]);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("there are: account, ledger");
  });

  test("lists the known messages for an unknown one", async () => {
    const asked = await bank.run(["ask", "account/ann", "borrow"]);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("it handles: deposit, withdraw, balance");
  });

  test.each([
    [["ask", "ann", "balance"], "type/key"],
    [["ask", "account/ann"], "missing required argument 'message'"],
    [["ask", "account/ann", "deposit", "{amount:5}"], "The payload is not JSON"],
    [["ask", "account/ann", "balance", "--timeout", "soon"], "500ms, 30s or 2m"],
  ])("%j is wrong usage", async (args, text) => {
    const asked = await bank.run(args);
    expect(asked).toMatchObject({ code: 2, stdout: "" });
    expect(asked.stderr).toContain(text);
  });

  test("gives up after its timeout", async () => {
    await using system = await startBankSystem();
    await system.worker.end("SIGTERM");
    const asked = await system.run(["ask", "account/ann", "balance", "--timeout", "300ms"]);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toMatch(/error: .*(?:deadline|in time|ms)/);
  });

  test("ends on Ctrl-C and says that the message was accepted", async () => {
    await using system = await startBankSystem();
    await system.worker.end("SIGTERM");
    await using watching = system.start(["tail", "--from", "start"]);
    const asking = system.start(["ask", "account/ann", "balance"]);
    await watching.shows("account/ann");
    const ended = await asking.end("SIGINT");
    expect(ended).toMatchObject({ code: 130, stdout: "" });
    expect(ended.stderr).toContain("may still be handled");
  });
});

describe("send", () => {
  test("says where the message was accepted, and that a repeated id was there already", async () => {
    const send = ["send", "account/sent", "deposit", '{"amount":5}', "--id", "sent-1"];
    const first = await bank.run(send);
    const again = await bank.run(send);
    const position = /position (\d+)/.exec(first.stdout)?.[1];
    expect(first.stdout).toBe(`deposit for account/sent accepted at position ${position}.\n`);
    expect(again.stdout).toBe(
      `deposit for account/sent was there already at position ${position}.\n`,
    );
    expect((await bank.run(["ask", "account/sent", "balance"])).stdout).toBe("5\n");
  });

  test("prints the receipt as JSON", async () => {
    const message = ["account/sent", "deposit", '{"amount":5}'];
    const sent = await bank.run(["send", ...message, "--id", "sent-2", "--json"]);
    expect(JSON.parse(sent.stdout)).toEqual({
      position: expect.any(Number) as number,
      id: "sent-2",
      duplicate: false,
    });
  });

  test("lists the known types for an unknown one", async () => {
    const sent = await bank.run(["send", "acount/ann", "deposit"]);
    expect(sent.code).toBe(1);
    expect(sent.stderr).toContain("there are: account, ledger");
  });
});
