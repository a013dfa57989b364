# A JSON-RPC server and a client that others have written (jsonrpclib).
#     rpc_peer.py serve        prints its port, and serves until its input ends
#     rpc_peer.py call URL     prints what it hears
import sys
import threading

import jsonrpclib
from jsonrpclib.SimpleJSONRPCServer import SimpleJSONRPCServer


def fail():
    raise ValueError("no boat")


def serve():
    server = SimpleJSONRPCServer(("127.0.0.1", 0), logRequests=False)
    server.register_function(lambda a, b: a - b, "subtract")
    server.register_function(lambda value: value, "echo")
    server.register_function(fail)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


def call(url):
    server = jsonrpclib.ServerProxy(url)
    print(server.subtract(42, 23), server.subtract(subtrahend=23, minuend=42))
    print(server.echo(2**53 + 1), server.echo("é"), server.echo(None))
    for method in ("nowhere", "fail", "boom"):
        try:
            getattr(server, method)()
        except jsonrpclib.ProtocolError as error:
            print(error.args[0][0], error.args[0][1])
    batch = jsonrpclib.MultiCall(server)
    batch.subtract(3, 1)
    batch._notify.mark("python")  # alone, its 204 would be no success to it
    batch.echo([1, {"a": []}])
    print(list(batch()))
    print(server.seen("python"))


if sys.argv[1] == "serve":
    serve()
else:
    call(sys.argv[2])
