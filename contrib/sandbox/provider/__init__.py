"""A simulated De-Mail provider: the reference service of xsd/provider.wsdl, seen from the other side.

It is written from the specifications alone and shares no code with the gateway, so that a mistake
in one is not repeated in the other.

    config          DIR/provider.json
    server          HTTPS with client certificate, one thread a connection
    service         from an HTTP request to an HTTP reply
    envelope        SOAP 1.2 and WS-Addressing, read and written
    wssec           WS-Security: who signed what
    mtom            multipart/related
    operations      the eight operations
    message_checks  what a submission's content must be
    store           what was accepted, refused, seen; DIR/requests.jsonl
    faults          DIR/faults.json: how to misbehave
"""
