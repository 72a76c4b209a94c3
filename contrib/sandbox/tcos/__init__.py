"""A virtual TCOS card: what a TeleSec NetKey, IDKey or SigG card shows to the one who sends it
APDUs. It is written from published behaviour (OpenSC's driver, ISO 7816-4 and -8) and stands in for
a real card in tests and in the demo; that a real card does the same is unconfirmed where the
modules say "assumed".

    apdu      bytes to a command, status words
    files     MF, DFs, EFs, what SELECT answers
    profiles  which files, keys and PINs a kind of card has: tables
    personalise   makes the keys and certificates of a new card
    store     the card on disk, so that the same one can be inserted again
    passwords     PINs, tries, the security status
    keys      the private-key operation
    card      the commands
    faults    how it misbehaves, told at run time
    vpcd      the wire to the virtual reader
    control   the socket by which a test speaks to the card, and its client
"""
