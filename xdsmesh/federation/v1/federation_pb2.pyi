from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JoinRequest(_message.Message):
    __slots__ = ("datacenter", "intermediate_request", "gateways")
    DATACENTER_FIELD_NUMBER: _ClassVar[int]
    INTERMEDIATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    GATEWAYS_FIELD_NUMBER: _ClassVar[int]
    datacenter: str
    intermediate_request: str
    gateways: bytes
    def __init__(self, datacenter: _Optional[str] = ..., intermediate_request: _Optional[str] = ..., gateways: _Optional[bytes] = ...) -> None: ...

class JoinResponse(_message.Message):
    __slots__ = ("primary", "trust", "intermediate_certificate")
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    INTERMEDIATE_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    primary: str
    trust: bytes
    intermediate_certificate: str
    def __init__(self, primary: _Optional[str] = ..., trust: _Optional[bytes] = ..., intermediate_certificate: _Optional[str] = ...) -> None: ...

class SignIntermediateRequest(_message.Message):
    __slots__ = ("certificate_request", "root_id", "lifetime_seconds")
    CERTIFICATE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    ROOT_ID_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    certificate_request: str
    root_id: str
    lifetime_seconds: int
    def __init__(self, certificate_request: _Optional[str] = ..., root_id: _Optional[str] = ..., lifetime_seconds: _Optional[int] = ...) -> None: ...

class SignIntermediateResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: str
    def __init__(self, certificate: _Optional[str] = ...) -> None: ...

class FollowRequest(_message.Message):
    __slots__ = ("start", "report")
    START_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    start: Start
    report: Report
    def __init__(self, start: _Optional[_Union[Start, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ("store", "after", "format")
    STORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    store: str
    after: int
    format: int
    def __init__(self, store: _Optional[str] = ..., after: _Optional[int] = ..., format: _Optional[int] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("gateways", "trust")
    GATEWAYS_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    gateways: bytes
    trust: bytes
    def __init__(self, gateways: _Optional[bytes] = ..., trust: _Optional[bytes] = ...) -> None: ...

class FollowResponse(_message.Message):
    __slots__ = ("hello", "records", "alive")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    records: Records
    alive: Alive
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., records: _Optional[_Union[Records, _Mapping]] = ..., alive: _Optional[_Union[Alive, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("datacenter", "store", "version", "format")
    DATACENTER_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    datacenter: str
    store: str
    version: str
    format: int
    def __init__(self, datacenter: _Optional[str] = ..., store: _Optional[str] = ..., version: _Optional[str] = ..., format: _Optional[int] = ...) -> None: ...

class Records(_message.Message):
    __slots__ = ("revision", "whole", "more", "changes")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    revision: int
    whole: bool
    more: bool
    changes: _containers.RepeatedCompositeFieldContainer[Record]
    def __init__(self, revision: _Optional[int] = ..., whole: _Optional[bool] = ..., more: _Optional[bool] = ..., changes: _Optional[_Iterable[_Union[Record, _Mapping]]] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Alive(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class AskRequest(_message.Message):
    __slots__ = ("method", "target", "headers", "body")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    method: str
    target: str
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    body: bytes
    def __init__(self, method: _Optional[str] = ..., target: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., body: _Optional[bytes] = ...) -> None: ...

class AskResponse(_message.Message):
    __slots__ = ("status", "headers", "body")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    status: int
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    body: bytes
    def __init__(self, status: _Optional[int] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., body: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
