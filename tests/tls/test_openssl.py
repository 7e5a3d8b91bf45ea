"""The way to libssl is tried before it is trusted."""

import _ctypes
import subprocess
import sys
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, OP_NO_TLSv1_1, SSLContext

import pytest

from mailssl_trio.tls.openssl import BENEATH_PYTHON, OpenSsl, OpenSslUnreachableError


def test_this_python_reaches_its_openssl() -> None:
    assert BENEATH_PYTHON is not None


def test_python_sees_the_options_that_were_set_below_it() -> None:
    assert BENEATH_PYTHON is not None
    context = SSLContext(PROTOCOL_TLS_SERVER)
    before = context.options
    BENEATH_PYTHON.set_options(context, OP_NO_TLSv1_1)
    assert context.options == before | OP_NO_TLSv1_1


def test_a_python_with_ssl_built_in_hides_it() -> None:
    with pytest.raises(OpenSslUnreachableError, match=r"built in; .* Debian's python3"):
        OpenSsl(None)


def test_a_library_without_its_functions_is_not_called() -> None:
    with pytest.raises(OpenSslUnreachableError, match="SSL_CTX_get_options"):
        OpenSsl(_ctypes.__file__)


def test_a_file_that_is_no_library_is_not_called(tmp_path: Path) -> None:
    (tmp_path / "_ssl.so").write_bytes(b"\x7fELF")
    with pytest.raises(OpenSslUnreachableError, match="no libssl to call"):
        OpenSsl(str(tmp_path / "_ssl.so"))


@pytest.mark.process
def test_hundreds_of_contexts_come_and_go_without_a_crash() -> None:
    command = (sys.executable, "-X", "dev", "-W", "error", "-m", "tests.tls.churn")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "500 served, 500 refused\n"


@pytest.mark.process
def test_twenty_thousand_handshakes_leave_nothing_behind() -> None:
    command = (sys.executable, "-X", "dev", "-W", "error", "-m", "tests.tls.handshakes")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    resumed, _, kib, *_ = result.stdout.split()
    assert int(resumed) > 13_000
    assert int(kib) < 2048, result.stdout
