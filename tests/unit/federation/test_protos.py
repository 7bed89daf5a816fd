from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from xdsmesh.federation.v1 import federation_pb2

PROTOS = Path(__file__).parents[3] / "protos"


def test_the_messages_are_those_that_the_protos_say(tmp_path: Path) -> None:
    """``make protos`` compiles them."""
    out = tmp_path / "descriptors"
    source = "xdsmesh/federation/v1/federation.proto"
    assert protoc.main(["protoc", f"-I{PROTOS}", f"--descriptor_set_out={out}", source]) == 0
    compiled = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]
    checked_in = descriptor_pb2.FileDescriptorProto()
    federation_pb2.DESCRIPTOR.CopyToProto(checked_in)
    compiled.ClearField("source_code_info")
    for each in (compiled, checked_in):
        for message in each.message_type:
            for field in message.field:
                field.ClearField("json_name")
    assert compiled == checked_in
