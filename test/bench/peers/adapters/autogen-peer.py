"""AutoGen's side: one agent per key, whose balance is in memory.

`autogen-peer.py local` runs everything on one SingleThreadedAgentRuntime; `grpc` starts a host and a
worker, each a process of its own, and sends from a third. Each line of standard input is
`DEPOSITS KEYS AMOUNT PREFIX`, or `chain PASSES IN_FLIGHT LENGTH PREFIX` for agents that send to each other;
each line of standard output is JSON of what came of it. Every process
ends when its standard input does.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from autogen_core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)

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


@dataclass
class Pass:
    token: int
    hop: int
    length: int
    prefix: str
    text: str


class Hop(RoutedAgent):
    """Publishes to the next agent and does not wait for it; the last one is of another type."""

    def __init__(self) -> None:
        super().__init__("hop")
        self._count = 0

    @message_handler
    async def on_pass(self, message: Pass, ctx: MessageContext) -> None:
        self._count += 1
        hop = message.hop + 1
        following = Pass(message.token, hop, message.length, message.prefix, message.text)
        await self.publish_message(following, topic_of(following))


class End(RoutedAgent):
    """In the process that sends the tokens."""

    waiting: dict = {}

    def __init__(self) -> None:
        super().__init__("end")
        self._count = 0

    @message_handler
    async def on_pass(self, message: Pass, ctx: MessageContext) -> None:
        self._count += 1
        self.waiting.pop(message.token).set_result(None)


def topic_of(message):
    kind = "end" if message.hop == message.length - 1 else "hop"
    return TopicId(kind, source=f"{message.prefix}{message.token}-{message.hop}")


async def register(runtime, *kinds):
    """The key of an agent is the source of its topic."""
    for kind in kinds:
        name = kind.__name__.lower()
        await kind.register(runtime, name, kind)
        await runtime.add_subscription(TypeSubscription(name, name))


async def chain_round(runtime, passes, in_flight, length, prefix):
    text = "x" * 200
    took = []

    async def send(token):
        sent = time.perf_counter()
        arrived = asyncio.get_running_loop().create_future()
        End.waiting[token] = arrived
        first = Pass(token, 0, length, prefix, text)
        await runtime.publish_message(first, topic_of(first))
        await arrived
        took.append((time.perf_counter() - sent) * 1000)

    started = time.perf_counter()
    await in_parallel(in_flight, passes, send)
    return {"seconds": time.perf_counter() - started, "tookMs": took}


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
        if line.startswith("chain "):
            _, passes, in_flight, length, prefix = line.split()
            answer = await chain_round(runtime, int(passes), int(in_flight), int(length), prefix)
            print(json.dumps(answer), flush=True)
            continue
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
    await register(runtime, Hop, End)
    runtime.start()
    await serve(runtime)
    await runtime.stop()


def add_serializers(runtime):
    from autogen_core import try_get_known_serializers_for_type

    for message in (Deposit, Question, Balance, Pass):
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
    await register(runtime, Hop)
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
        await register(runtime, End)
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
