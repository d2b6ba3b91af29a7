"""AutoGen's side: one agent per key, whose balance is in memory.

`autogen-peer.py local` runs everything on one SingleThreadedAgentRuntime; `grpc` starts a host and a
worker, each a process of its own, and sends from a third. Each line of standard input is
`DEPOSITS KEYS AMOUNT PREFIX`; each line of standard output is JSON of what came of it. Every process
ends when its standard input does.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from autogen_core import AgentId, MessageContext, RoutedAgent, SingleThreadedAgentRuntime, message_handler

IN_FLIGHT = 1000


@dataclass
class Deposit:
    amount: int
    text: str


@dataclass
class Question:
    what: str


@dataclass
class Balance:
    balance: int


class Account(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("account")
        self._balance = 0

    @message_handler
    async def deposit(self, message: Deposit, ctx: MessageContext) -> Balance:
        self._balance += message.amount
        return Balance(self._balance)

    @message_handler
    async def balance(self, message: Question, ctx: MessageContext) -> Balance:
        return Balance(self._balance)


async def in_parallel(width, count, run):
    numbers = iter(range(count))

    async def lane():
        for number in numbers:
            await run(number)

    await asyncio.gather(*(lane() for _ in range(min(width, count))))


async def serve(runtime):
    """Answers every line until there are no more."""
    loop = asyncio.get_running_loop()
    print(json.dumps({"ready": True}), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        deposits, keys, amount, prefix = line.split()
        print(json.dumps(await one_round(runtime, int(deposits), int(keys), int(amount), prefix)), flush=True)


async def one_round(runtime, deposits, keys, amount, prefix):
    text = "x" * 200
    total = 0
    balances = {}

    async def deposit(number):
        nonlocal total
        agent = AgentId("account", f"{prefix}key-{number % keys}")
        reply = await runtime.send_message(Deposit(amount, text), agent)
        total += reply.balance

    async def ask(key):
        reply = await runtime.send_message(Question("balance"), AgentId("account", f"{prefix}key-{key}"))
        balances[f"key-{key}"] = reply.balance

    started = time.perf_counter()
    await in_parallel(IN_FLIGHT, deposits, deposit)
    seconds = time.perf_counter() - started
    await in_parallel(IN_FLIGHT, keys, ask)
    return {"seconds": seconds, "sum": total, "balances": balances}


async def local():
    runtime = SingleThreadedAgentRuntime()
    await Account.register(runtime, "account", Account)
    runtime.start()
    await serve(runtime)
    await runtime.stop()


def add_serializers(runtime):
    from autogen_core import try_get_known_serializers_for_type

    for message in (Deposit, Question, Balance):
        runtime.add_message_serializer(try_get_known_serializers_for_type(message))


async def grpc_host(address):
    from autogen_ext.runtimes.grpc import GrpcWorkerAgentRuntimeHost

    host = GrpcWorkerAgentRuntimeHost(address=address)
    host.start()
    await until_input_ends()
    await host.stop()


async def grpc_worker(address):
    runtime = await grpc_runtime(address)
    await Account.register(runtime, "account", Account)
    await until_input_ends()
    await runtime.stop()


async def grpc_client():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    children = [start("grpc-host", address)]
    children.append(start("grpc-worker", address))
    try:
        runtime = await grpc_runtime(address)
        await serve(runtime)
        await runtime.stop()
    finally:
        for child in reversed(children):
            child.stdin.close()
            child.wait(10)


async def grpc_runtime(address):
    from autogen_ext.runtimes.grpc import GrpcWorkerAgentRuntime

    runtime = GrpcWorkerAgentRuntime(host_address=address)
    add_serializers(runtime)
    await runtime.start()
    return runtime


def start(*arguments):
    """A process that says `ready` when it is, and ends when this one does."""
    child = subprocess.Popen(
        [sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if child.stdout.readline().strip() != b"ready":
        raise RuntimeError(f"{arguments} did not start")
    return child


async def until_input_ends():
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    modes = {"local": local, "grpc": grpc_client, "grpc-host": grpc_host, "grpc-worker": grpc_worker}
    asyncio.run(modes[mode](*rest))
