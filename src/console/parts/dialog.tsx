import { Button, Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useIsMutating } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { commandKey } from "../commands/use-command.ts";

interface OpenDialog {
  readonly title: string;
  readonly isWide: boolean;
  readonly content: ReactNode;
}

interface Dialogs {
  readonly open: (dialog: OpenDialog) => void;
  readonly close: () => void;
}

const DialogContext = createContext<Dialogs>({ open: () => undefined, close: () => undefined });

/** Closes the dialog that this is in. */
export const useCloseDialog = (): (() => void) => useContext(DialogContext).close;

/**
 * Where dialogs live: above the pages, so that one stays until it is read although the button that opened it is gone, with the
 * row that was decided about or the invoice that is open no more.
 */
export function DialogHost({ children }: { children: ReactNode }) {
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const [dialogs] = useState<Dialogs>(() => ({ open: setDialog, close: () => setDialog(null) }));
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever goes to another page is done with it
  useEffect(dialogs.close, [pathname]);
  return (
    <DialogContext value={dialogs}>
      {children}
      {dialog === null ? null : <Dialog {...dialog} close={dialogs.close} />}
    </DialogContext>
  );
}

/** Closes only on purpose, because forms are lost with it, and not while something is being done. */
function Dialog({ title, isWide, content, close }: OpenDialog & Pick<Dialogs, "close">) {
  const isPhone = useMediaQuery("(max-width: 48em)") ?? false;
  const isBusy = useIsMutating({ mutationKey: commandKey }) > 0;
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={isWide ? "lg" : "md"}
      fullScreen={isPhone}
      closeOnClickOutside={false}
      closeOnEscape={!isBusy}
      closeButtonProps={{ "aria-label": "Close", disabled: isBusy }}
      transitionProps={{ duration: 0 }}
      styles={{
        title: { fontWeight: 650 },
        content: { background: "var(--surface)" },
        header: { background: "var(--surface)" },
      }}
    >
      {content}
    </Modal>
  );
}

interface DialogButtonProps {
  /** What the button says. */
  readonly label: string;
  /** Said to those who do not see what the button is beside; it begins with what the button says. */
  readonly description?: string;
  readonly title: string;
  readonly variant?: "default" | "subtle" | "filled";
  readonly isGrave?: boolean;
  readonly isWide?: boolean;
  /** As it is when the dialog opens: what is read anew below does not change a form. Each opening begins anew. */
  readonly children: ReactNode;
}

/** A button that opens a dialog. */
export function DialogButton(props: DialogButtonProps) {
  const { label, description, title, variant = "default", isGrave = false, isWide = false, children } = props;
  const { open } = useContext(DialogContext);
  return (
    <Button
      variant={variant}
      size="compact-sm"
      onClick={() => open({ title, isWide, content: children })}
      {...(isGrave ? { c: "var(--negative)" } : {})}
      {...(description === undefined ? {} : { "aria-label": description })}
    >
      {label}
    </Button>
  );
}
