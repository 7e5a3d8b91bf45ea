"""``python -m mailssl_trio`` is ``mailssl-trio``."""

from mailssl_trio.cli import main

main(prog_name="mailssl-trio")
